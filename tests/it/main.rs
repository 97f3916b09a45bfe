//! Laws, golden numbers and hostile inputs, over the public API.

mod oracle;
mod total;
