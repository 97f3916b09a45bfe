//! Pages for readers: what the words mean, how to embed, how to watch accuracy, and one recipe a question.
//!
//! | page | for |
//! |---|---|
//! | [`definitions`] | who asks "which win rate is this?" |
//! | [`embedding`] | who puts forecasts into a service |
//! | [`accuracy_in_ci`] | who lets a build watch how good the forecasts are |
//! | [`cookbook`] | who has one of fifteen questions, and data |

#[doc = include_str!("definitions.md")]
pub mod definitions {}

#[doc = include_str!("embedding.md")]
pub mod embedding {}

#[doc = include_str!("accuracy_in_ci.md")]
pub mod accuracy_in_ci {}

#[doc = include_str!("cookbook.md")]
pub mod cookbook {}
