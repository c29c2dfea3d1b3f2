//! The description of the interface, made from the code of the routes.

use mizan_money::ApiKeyId;
use mizan_money::id::{DisputeId, PayoutId, PayoutRunId, RefundId};
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::schema::Type;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, ObjectBuilder, OpenApi, Ref, RefOr, ResponseBuilder};
use utoipa::{Modify, OpenApi as _};

use super::ProblemBody;
use super::router::described_routes;
use crate::commissions::CommissionRuleId;
use crate::routing::RoutingRuleId;
use crate::vendors::WriteOffId;
use crate::wallets::CashbackRuleId;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Mizan",
        description = "Take payments, keep the books, pay vendors. Amounts are integers of the \
                       currency's minor unit. Every answer carries a Request-Id; every refusal \
                       is a problem as in RFC 9457.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    components(schemas(
        ProblemBody,
        ApiKeyId,
        CashbackRuleId,
        CommissionRuleId,
        DisputeId,
        PayoutId,
        PayoutRunId,
        RefundId,
        RoutingRuleId,
        WriteOffId,
    )),
    security(("api_key" = [])),
    modifiers(&Security),
)]
struct Description;

struct Security;

impl Modify for Security {
    fn modify(&self, openapi: &mut OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("mz_test_… or mz_live_…")
            .description(Some("An API key; also accepted as the user name of basic authentication"))
            .build();
        openapi
            .components
            .get_or_insert_default()
            .add_security_scheme("api_key", SecurityScheme::Http(scheme));
    }
}

/// The description of every route, as `/openapi.json` serves it.
#[must_use]
pub fn openapi() -> OpenApi {
    let (_, mut description) = described_routes().split_for_parts();
    describe_problems(&mut description);
    describe_idempotency_keys(&mut description);
    description
}

/// What an Idempotency-Key is made of, wherever one is asked for.
fn describe_idempotency_keys(description: &mut OpenApi) {
    let key = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(255))
        .pattern(Some(r"^[\x21-\x7e]{1,255}$"))
        .examples(["order-1001-pay"])
        .build();
    for item in description.paths.paths.values_mut() {
        let operations = operations(item).into_iter().flatten();
        for parameter in operations.flat_map(|it| it.parameters.iter_mut().flatten()) {
            if let RefOr::T(parameter) = parameter
                && parameter.name == "Idempotency-Key"
            {
                parameter.schema = Some(key.clone().into());
            }
        }
    }
}

pub(super) fn base() -> OpenApi {
    Description::openapi()
}

/// Every operation may answer with a problem; the code in it says which.
fn describe_problems(description: &mut OpenApi) {
    for item in description.paths.paths.values_mut() {
        for operation in operations(item).into_iter().flatten() {
            operation.responses.responses.entry("default".to_owned()).or_insert_with(|| {
                let schema = Ref::from_schema_name("Problem");
                ResponseBuilder::new()
                    .description("A problem: the field `code` says which, its page what to do")
                    .content(
                        "application/problem+json",
                        ContentBuilder::new().schema(Some(schema)).build(),
                    )
                    .build()
                    .into()
            });
        }
    }
}

fn operations(item: &mut PathItem) -> [Option<&mut Operation>; 5] {
    [
        item.get.as_mut(),
        item.post.as_mut(),
        item.put.as_mut(),
        item.patch.as_mut(),
        item.delete.as_mut(),
    ]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn every_reference_leads_somewhere() {
        let json = serde_json::to_value(openapi()).unwrap();
        let text = json.to_string();
        for part in text.split("\"#/components/schemas/").skip(1) {
            let name = part.split('"').next().unwrap();
            assert!(json["components"]["schemas"][name].is_object(), "{name} is missing");
        }
        for key in text.split("\"name\":\"Idempotency-Key\"").skip(1) {
            assert!(key.split('}').take(2).any(|part| part.contains("maxLength")), "{key:.200}");
        }
    }

    #[test]
    fn every_operation_is_described_with_its_problems_and_its_key() {
        let json = serde_json::to_value(openapi()).unwrap();
        assert!(json["openapi"].as_str().unwrap().starts_with("3.1"));
        assert_eq!(json["components"]["securitySchemes"]["api_key"]["scheme"], "bearer");
        assert!(json["components"]["schemas"]["Problem"]["properties"]["code"].is_object());
        let paths = json["paths"].as_object().unwrap();
        for (path, item) in paths {
            for (method, operation) in item.as_object().unwrap() {
                let problem = &operation["responses"]["default"]["content"];
                assert!(problem["application/problem+json"].is_object(), "{method} {path}");
                assert!(operation["operationId"].is_string(), "{method} {path}");
                assert!(operation["summary"].is_string(), "{method} {path}");
            }
        }
        assert!(paths.contains_key("/healthz") && paths.contains_key("/readyz"));
    }
}
