//! `metadata.lifecycle.strategy`: how a change is to be carried out, whatever AWS would allow.

use crate::kind::{Effect, Order, Reason};
use crate::resource::Strategy;

/// The effect that the strategy makes of what a kind says.
pub(super) fn by_strategy(strategy: Strategy, effect: Effect, reason: Reason) -> (Effect, Reason) {
    match (strategy, effect) {
        (Strategy::BlueGreen, Effect::Update(label)) if label == "infrastructure" => {
            (Effect::Replace(Order::CreateFirst), Reason("lifecycle.strategy is blueGreen".to_owned()))
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
