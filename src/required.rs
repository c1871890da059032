/// The state of a required field in the builder of a request body.
///
/// Implemented by the field's own type; a marker `Missing…` stands for it until it is set.
#[diagnostic::on_unimplemented(
    message = "a required field is not set: {Self}",
    label = "set the field before `build`"
)]
pub trait RequiredField<T> {
    /// The field's value.
    fn into_value(self) -> T;
}

#[diagnostic::do_not_recommend]
impl<T> RequiredField<T> for T {
    fn into_value(self) -> T {
        self
    }
}
