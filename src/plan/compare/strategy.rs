//! How a change is carried out, beyond what a kind says of it: `metadata.lifecycle.strategy`, and what AWS makes no more of.

use crate::kind::{AnyKind, Effect, Manner, Order, Reason};
use crate::resource::{Document, Strategy};

/// The effect that strategy and retirement make of what a kind says.
pub fn apply_strategy(
    strategy: Strategy,
    kind: &dyn AnyKind,
    want: &Document,
    (effect, reason): (Effect, Reason),
) -> (Effect, Reason) {
    let (effect, reason) = by_strategy(strategy, effect, reason);
    let retired = matches!(effect, Effect::Replace(_)).then(|| kind.retired(want)).flatten();
    match retired {
        Some(retired) => {
            let why = format!("another one is needed ({reason}), and {}", retired.message);
            (Effect::Impossible(why), reason)
        }
        None => (effect, reason),
    }
}

fn by_strategy(strategy: Strategy, effect: Effect, reason: Reason) -> (Effect, Reason) {
    match (strategy, effect) {
        (Strategy::BlueGreen, Effect::Update(Manner::ReplacesInstances)) => {
            // What an update would do to running jobs does not come to pass.
            let what = reason.0.split(';').next().unwrap_or_default();
            let reason = Reason(format!("lifecycle.strategy is blueGreen: {what}"));
            (Effect::Replace(Order::CreateFirst), reason)
        }
        (Strategy::InPlace, Effect::Replace(_)) => {
            let why = format!(
                "it can't be changed in place ({reason}) and lifecycle.strategy is inPlace: set it to auto"
            );
            (Effect::Impossible(why), reason)
        }
        (_, effect) => (effect, reason),
    }
}
