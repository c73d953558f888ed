//! Laws: what holds whatever people write.

mod arithmetic;
mod queries;
mod templates;
