//! The promises every adapter keeps, tried on the simulator: one list, run against each gateway.
//!
//! A promise is a function of a [`Bed`](bed::Bed); `promises!` makes a test of it for each
//! gateway. What a gateway cannot do is skipped only where its capabilities say so, and then the
//! suite checks that building such a request is refused.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod bed;
mod capabilities;
mod deliveries;
mod money;
mod sink;
mod trouble;

/// A test of each promise for each gateway.
#[macro_export]
macro_rules! promises {
    ($($promise:ident),+ $(,)?) => {
        $crate::promises!(@gateway stripe, Stripe; $($promise),+);
        $crate::promises!(@gateway razorpay, Razorpay; $($promise),+);
        $crate::promises!(@gateway telr, Telr; $($promise),+);
        $crate::promises!(@gateway paytabs, Paytabs; $($promise),+);
        $crate::promises!(@gateway paypal, Paypal; $($promise),+);
    };
    (@gateway $name:ident, $gateway:ident; $($promise:ident),+) => {
        mod $name {
            $(
                #[tokio::test]
                async fn $promise() {
                    let name = mizan_providers::ProviderName::$gateway;
                    super::$promise($crate::bed::Bed::of(name).await).await;
                }
            )+
        }
    };
}
