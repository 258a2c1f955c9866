//! The pages of the authorization flow: consent, and the code to copy.

use askama::Template;

use crate::ui::frame::Frame;

#[derive(Template)]
#[template(path = "consent.html")]
pub struct ConsentPage {
    pub frame: Frame,
    /// The app's name, as it calls itself.
    pub app: String,
    pub website: Option<String>,
    /// The host or scheme that gets the code.
    pub destination: Option<String>,
    /// Her handle.
    pub me: String,
    /// What the app asks for, in words.
    pub grants: Vec<&'static str>,
    /// What it asks for of the rights of those who look after the community, in words.
    pub staff: Vec<&'static str>,
    /// It asked for some of these that she does not have.
    pub withheld: bool,
    /// The request, carried through the form.
    pub hidden: Vec<(&'static str, String)>,
    /// Where somebody else signs in.
    pub other_account: String,
}

#[derive(Template)]
#[template(path = "out_of_band.html")]
pub struct OutOfBandPage {
    pub frame: Frame,
    pub app: String,
    pub code: String,
}
