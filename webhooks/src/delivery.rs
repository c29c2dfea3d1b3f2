//! A delivery on its way in, as it is stored, and as a list shows it.

use std::fmt;

use mizan_money::{DeliveryId, Timestamp};
use mizan_providers::{Headers, ProviderName};

use crate::disposition::{DeliveryState, Standing};

/// Longest text of a gateway's name for an event or an object, in characters.
pub const TEXT_MAX: usize = 255;

/// A verified delivery on its way in; made by [`crate::Checked::delivery`] alone.
#[derive(Clone)]
pub struct NewDelivery {
    pub(crate) id: DeliveryId,
    pub(crate) connection: String,
    pub(crate) provider: ProviderName,
    pub(crate) dedupe_id: String,
    pub(crate) event_type: Option<String>,
    pub(crate) object_ref: Option<String>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) signed_at: Option<Timestamp>,
    pub(crate) occurred_at: Option<Timestamp>,
}

impl NewDelivery {
    /// The id it gets, unless it is known already.
    pub const fn id(&self) -> DeliveryId {
        self.id
    }

    /// The gateway it came from.
    pub const fn provider(&self) -> ProviderName {
        self.provider
    }

    /// The connection it came in by.
    pub fn connection(&self) -> &str {
        &self.connection
    }

    /// By what a repetition is recognised.
    pub fn dedupe_id(&self) -> &str {
        &self.dedupe_id
    }
}

/// Leaves out the bytes and headers: they hold a buyer's data.
impl fmt::Debug for NewDelivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewDelivery")
            .field("id", &self.id)
            .field("connection", &self.connection)
            .field("dedupe_id", &self.dedupe_id)
            .field("event_type", &self.event_type)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// What [`crate::keep`] and [`crate::keep_many`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It is the first of its name, and stored now.
    New(DeliveryId),
    /// It was stored before, and is locked until this transaction ends.
    Known {
        /// The id of the first.
        id: DeliveryId,
        /// Where the first stands.
        state: DeliveryState,
        /// How often somebody tried to apply it.
        attempts: u32,
    },
}

impl Kept {
    /// The delivery to apply and to dispose of.
    pub const fn id(self) -> DeliveryId {
        match self {
            Self::New(id) | Self::Known { id, .. } => id,
        }
    }

    /// Whether it is still to be applied; a finished one is only acknowledged.
    pub const fn is_open(self) -> bool {
        match self {
            Self::New(_) => true,
            Self::Known { state, .. } => state.is_open(),
        }
    }

    /// How often somebody tried to apply it before.
    pub const fn attempts(self) -> u32 {
        match self {
            Self::New(_) => 0,
            Self::Known { attempts, .. } => attempts,
        }
    }
}

/// A stored delivery without its bytes, as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Its id.
    pub id: DeliveryId,
    /// The connection it came in by.
    pub connection: String,
    /// The gateway it came from.
    pub provider: ProviderName,
    /// The gateway's id of the event, or a digest where it gives none.
    pub dedupe_id: String,
    /// The gateway's name of the event.
    pub event_type: Option<String>,
    /// The gateway's id of what it is about.
    pub object_ref: Option<String>,
    /// How many bytes the body has.
    pub body_bytes: u32,
    /// When the gateway signed it.
    pub signed_at: Option<Timestamp>,
    /// When it came in first.
    pub received_at: Timestamp,
    /// When it happened, by the gateway's clock.
    pub occurred_at: Option<Timestamp>,
    /// How often somebody tried to apply it.
    pub attempts: u32,
    /// Where it stands.
    pub standing: Standing,
}

/// A stored delivery with its bytes, to be verified or applied again.
#[derive(Clone, PartialEq, Eq)]
pub struct Delivery {
    /// What a list shows.
    pub summary: Summary,
    /// The headers that were kept, names in lower case.
    pub headers: Headers,
    /// The raw bytes.
    pub body: Vec<u8>,
}

/// Leaves out the bytes and headers: they hold a buyer's data.
impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery").field("summary", &self.summary).finish_non_exhaustive()
    }
}

/// Which deliveries to list; what is not given does not matter.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only those that stand so.
    pub state: Option<DeliveryState>,
    /// Only those about this thing, by the gateway's id of it.
    pub object_ref: Option<String>,
}

/// Which part of a list, newest first.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// How many at most; brought within 1 to [`crate::READ_MAX`].
    pub limit: u16,
    /// Where from.
    pub cursor: Cursor,
}

/// A place in a list.
#[derive(Debug, Clone, Copy)]
pub enum Cursor {
    /// From its beginning, the newest.
    Start,
    /// What follows this delivery: older ones.
    After(DeliveryId),
    /// What comes before this delivery: newer ones.
    Before(DeliveryId),
}

/// One page.
#[derive(Debug, Clone)]
pub struct Listed<T> {
    /// The objects, newest first.
    pub data: Vec<T>,
    /// Whether there are more in the direction of the cursor.
    pub has_more: bool,
}
