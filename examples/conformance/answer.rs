//! Requests in, answers and refusals out.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use std::fmt::Display;

/// What a command returns.
pub(crate) type Answer = Result<Value, Refusal>;

/// A refused request, as the caller sees it.
pub(crate) struct Refusal(Value);

impl Refusal {
    /// Not a request at all, or not of this command's form.
    pub(crate) fn malformed(message: impl Display) -> Self {
        Self(json!({ "code": "malformed_request", "message": message.to_string() }))
    }

    /// A stored model that breaks its own rules.
    pub(crate) fn invalid_model(message: impl Display) -> Self {
        let code = dealcast::ErrorKind::InvalidModel.name();
        Self(json!({ "code": code, "message": message.to_string(), "field": "model" }))
    }

    /// A command that does not exist (yet).
    pub(crate) fn unknown_command(cmd: &str) -> Self {
        let cmd: String = cmd.chars().take(40).collect();
        Self(json!({ "code": "unknown_command", "message": format!("no command {cmd}") }))
    }

    /// The answer line.
    pub(crate) fn into_json(self) -> Value {
        json!({ "error": self.0 })
    }
}

impl From<dealcast::Error> for Refusal {
    fn from(error: dealcast::Error) -> Self {
        let mut fields = Map::new();
        fields.insert("code".into(), error.kind().name().into());
        fields.insert("message".into(), error.to_string().into());
        let mut put = |name: &str, value: Option<Value>| value.map(|v| fields.insert(name.into(), v));
        put("row", error.row().map(Value::from));
        put("field", error.field_name().map(Value::from));
        put("deal", error.deal().map(Value::from));
        put("stage", error.stage().map(Value::from));
        Self(Value::Object(fields))
    }
}

/// The request as the struct of its command; unknown fields are refused there by `deny_unknown_fields`.
pub(crate) fn parse<T: DeserializeOwned>(request: Value) -> Result<T, Refusal> {
    serde_json::from_value(request).map_err(Refusal::malformed)
}

/// A serialisable result as an answer; `serde_json` writes a number that is not finite as null.
pub(crate) fn answer(value: &impl Serialize) -> Answer {
    serde_json::to_value(value).map_err(Refusal::malformed)
}
