/// The fields of a notification.
#[derive(Clone, Copy)]
pub(super) enum Family {
    Order,
    CheckIn,
    Event,
    SubEvent,
    Item,
    Quota,
    Voucher,
    WaitingList,
    Customer,
    GiftCard,
    Unknown,
}

impl Family {
    /// Determined by the action's name: those that pretix 2026.8.0 sends, and similar later ones.
    pub(super) fn of(action: &str) -> Self {
        let Some(name) = action.strip_prefix("pretix.") else {
            return Self::Unknown;
        };
        match name {
            "event.added" | "event.changed" | "event.deleted" => Self::Event,
            "event.checkin" => Self::CheckIn,
            _ => PREFIXES
                .iter()
                .find(|(prefix, _)| name.starts_with(prefix))
                .map_or(Self::Unknown, |(_, family)| *family),
        }
    }
}

const PREFIXES: [(&str, Family); 11] = [
    ("event.order.", Family::Order),
    ("event.checkin.", Family::CheckIn),
    ("event.live.", Family::Event),
    ("event.testmode.", Family::Event),
    ("subevent.", Family::SubEvent),
    ("event.item.", Family::Item),
    ("event.quota.", Family::Quota),
    ("voucher.", Family::Voucher),
    ("event.orders.waitinglist.", Family::WaitingList),
    ("customer.", Family::Customer),
    ("giftcards.", Family::GiftCard),
];
