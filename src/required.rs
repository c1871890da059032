/// The state of a required field in the builder of a request body.
///
/// The field's own type implements it. Until the field is set, its type is a marker, `Missing…`.
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
