//! The frame that every gateway but Stripe stands on, seen through Razorpay.

mod crash;
mod faults;
mod random;
