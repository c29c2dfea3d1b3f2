//! What happens by itself as the clock goes on: holds end, debits and slow refunds are decided.

use super::charge;
use super::intent;
use super::refund;
use super::state::IntentStatus;
use super::work::Work;

/// Does everything that is due by now, oldest first.
pub fn advance(work: &mut Work<'_>) {
    while let Some((at, id)) = work.state.agenda.first().cloned() {
        if at > work.now {
            break;
        }
        work.state.agenda.remove(&(at, id.clone()));
        turn(work, &id);
    }
}

/// The agenda may name what has changed since: only the record says whether its time has come.
fn turn(work: &mut Work<'_>, id: &str) {
    let now = work.now;
    if let Some(found) = work.state.intents.get(id).cloned()
        && found.turns_at.is_some_and(|at| at <= now)
    {
        match found.status {
            IntentStatus::RequiresCapture => {
                intent::close(work, found, Some("expired".to_owned()));
            }
            IntentStatus::Processing => charge::finish_debit(work, found),
            _ => {}
        }
    } else if let Some(found) = work.state.refunds.get(id).cloned()
        && found.turns_at.is_some_and(|at| at <= now)
    {
        refund::finish(work, found);
    }
}
