// Grafana's types as JSON literals can meet them: an enumeration is the text or number that it stands for.

import type { AnnotationQuery, Dashboard, DataQuery } from '@grafana/schema';
import type * as barchart from '@grafana/schema/dist/esm/raw/composable/barchart/panelcfg/x/BarChartPanelCfg_types.gen';
import type * as gauge from '@grafana/schema/dist/esm/raw/composable/gauge/panelcfg/x/GaugePanelCfg_types.gen';
import type * as heatmap from '@grafana/schema/dist/esm/raw/composable/heatmap/panelcfg/x/HeatmapPanelCfg_types.gen';
import type * as logs from '@grafana/schema/dist/esm/raw/composable/logs/panelcfg/x/LogsPanelCfg_types.gen';
import type * as stat from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type * as states from '@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen';
import type * as table from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import type * as timeseries from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';

type Plain<T> = T extends string
  ? `${T}`
  : T extends number
    ? (`${T}` extends `${infer N extends number}` ? N : number)
    : T extends boolean | null | undefined | unknown[]
      ? (T extends Array<infer E> ? Array<Plain<E>> : T)
      : T extends object
        ? { [K in keyof T]: Plain<T[K]> }
        : T;

// What Prometheus adds to annotations.
interface OfPrometheus {
  titleFormat?: string;
  textFormat?: string;
  tagKeys?: string;
  useValueForTime?: boolean;
}

type Annotations = { list: Array<Plain<AnnotationQuery<DataQuery & { expr?: string; interval?: string }>> & OfPrometheus> };

export type Board = Omit<Plain<Dashboard>, 'annotations'> & { annotations: Annotations };

// What each kind of panel adds to its options, and to its fields.
export interface Options {
  barchart: Plain<Partial<barchart.Options>>;
  gauge: Plain<Partial<gauge.Options>>;
  heatmap: Plain<Partial<heatmap.Options>>;
  logs: Plain<Partial<logs.Options>>;
  stat: Plain<Partial<stat.Options>>;
  'state-timeline': Plain<Partial<states.Options>>;
  table: Plain<Partial<table.Options>>;
  timeseries: Plain<Partial<timeseries.Options>>;
  traces: Record<string, never>;
}
export interface Fields {
  barchart: Plain<barchart.FieldConfig>;
  heatmap: Plain<heatmap.FieldConfig>;
  'state-timeline': Plain<states.FieldConfig>;
  table: Plain<Partial<table.FieldConfig>>;
  timeseries: Plain<timeseries.FieldConfig>;
}
