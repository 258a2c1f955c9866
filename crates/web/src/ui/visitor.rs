//! Whoever opened a page: signed in or not, from where, with which forms; and the answer she gets.

use std::sync::Arc;

use askama::Template;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse as _, Response};
use axum_extra::extract::cookie::CookieJar;
use domain::account::Credentials;
use domain::instance::{CommunitySettings, SignUp};
use domain::{Host, Urls, Viewer};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, header};
use storage::oauth::Client;

use super::card::Look;
use super::frame::{Frame, Me};
use super::message::Problem;
use crate::auth::{Cookies, SignedIn};
use crate::csrf::{self, FormKey};
use crate::limits::Origin;
use crate::sign_in::signed_in;
use crate::state::Web;

#[derive(Debug)]
pub struct Visitor {
    pub web: Web,
    pub me: Option<SignedIn>,
    pub community: Arc<CommunitySettings>,
    pub origin: Origin,
    form_key: FormKey,
    headers: HeaderMap,
    /// HTTP/2 puts the host here, HTTP/1 among the headers.
    authority: Option<Authority>,
}

impl FromRequestParts<Web> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Problem> {
        let jar = CookieJar::from_headers(&parts.headers);
        let Ok(origin) = Origin::from_request_parts(parts, web).await;
        Ok(Self {
            me: SignedIn::by_cookie(web, &jar).await?,
            community: web.community.get(&web.app).await?,
            origin,
            form_key: FormKey::of(&jar, &web.app.urls),
            headers: parts.headers.clone(),
            authority: parts.uri.authority().cloned(),
            web: web.clone(),
        })
    }
}

impl Visitor {
    #[must_use]
    pub fn viewer(&self) -> Viewer {
        self.me.as_ref().map_or(Viewer::Anonymous, SignedIn::viewer)
    }

    #[must_use]
    pub fn look(&self) -> Look<'_> {
        Look { urls: &self.web.app.urls, files: &self.web.app.files, now: self.web.app.now() }
    }

    #[must_use]
    pub fn sign_up(&self) -> SignUp {
        self.web.app.config.sign_up
    }

    #[must_use]
    pub fn user_agent(&self) -> &str {
        self.headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }

    /// Did she ask for the host that we are known by? The port may be another's, who passes on to ours.
    #[must_use]
    pub fn came_by_our_name(&self) -> bool {
        let ours = |host: &str| Host::parse(host).is_ok_and(|host| host.name() == self.web.app.urls.host());
        let asked = self.headers.get_all(header::HOST);
        let asked = asked.iter().map(|host| Authority::try_from(host.as_bytes()).ok());
        let mut asked = asked.chain(self.authority.clone().map(Some)).peekable();
        asked.peek().is_some() && asked.all(|host| host.is_some_and(|host| ours(host.host())))
    }

    /// What stands around a page for her.
    #[must_use]
    pub fn frame(&self, title: impl Into<String>) -> Frame {
        let mut frame = Frame::new(self.community.title.clone(), self.web.app.config.source_url.clone()).titled(title);
        frame.me = self.me.as_ref().map(|me| Me {
            username: me.account.username.clone(),
            name: me.account.name().to_owned(),
            avatar: self.web.app.urls.avatar(&me.account),
        });
        frame.may_join = matches!(self.sign_up(), SignUp::Open | SignUp::Approval);
        frame.csrf = self.form_key.token(self.session());
        frame
    }

    fn session(&self) -> Option<&str> {
        self.me.as_ref().map(|me| me.token.as_str())
    }

    /// A form that changes nothing, and so carries no token: does the browser say that another site sent it?
    ///
    /// # Errors
    /// [`Problem::ForeignForm`].
    pub fn check_origin(&self) -> Result<(), Problem> {
        if csrf::is_foreign(&self.headers, &self.web.app.urls) { Err(Problem::ForeignForm) } else { Ok(()) }
    }

    /// A form she sent: is it ours, and hers? Asked after the form has arrived, which takes as long as its sender likes:
    /// a session that ended meanwhile does nothing any more.
    ///
    /// # Errors
    /// [`Problem::ForeignForm`], [`Problem::StaleForm`].
    pub async fn check_form(&self, token: &str) -> Result<(), Problem> {
        self.check_origin()?;
        if !self.form_key.accepts(token, self.session()) {
            return Err(Problem::StaleForm);
        }
        match &self.me {
            Some(me) if !me.is_still_signed_in(&self.web).await? => Err(Problem::StaleForm),
            _ => Ok(()),
        }
    }

    /// A page to look at.
    ///
    /// # Errors
    /// [`Problem::Internal`] when the template fails.
    pub fn page(&self, page: &impl Template) -> Result<Response, Problem> {
        let mut response = html(page)?;
        if self.me.is_some() {
            self.give_form_key(&mut response);
        }
        Ok(response)
    }

    /// A page with a form of its own: never kept by anybody.
    ///
    /// # Errors
    /// [`Problem::Internal`] when the template fails.
    pub fn form(&self, page: &impl Template) -> Result<Response, Problem> {
        let mut response = html(page)?;
        self.give_form_key(&mut response);
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(response)
    }

    fn give_form_key(&self, response: &mut Response) {
        if let Some(cookie) = self.form_key.cookie(&self.web.app.urls) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }

    /// Signs her in and sends her on. A session she had before ends.
    ///
    /// # Errors
    /// [`Problem::Forbidden`] when her password or her account was changed since she was let in by it.
    pub async fn sign_in(&self, judged: Credentials, next: &str) -> Result<Response, Problem> {
        let app = &self.web.app;
        let token = app::sessions::start::start(app, judged, self.user_agent()).await?;
        if let Some(before) = self.session() {
            app::sessions::end::end(app, before).await?;
        }
        signed_in(&self.web, judged.account, self.origin).await;
        let cookies = Cookies::new(&app.urls);
        let mut response = see_other(next);
        if let Some(cookie) = cookies.set(cookies.session(), &token, Some(app::sessions::start::LIFETIME)) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        Ok(response)
    }
}

fn html(page: &impl Template) -> Result<Response, Problem> {
    let body = page.render().map_err(Problem::internal)?;
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"))];
    Ok((kind, body).into_response())
}

/// 303: looks there next, whatever was sent here. Only ever a path of ours: what is none leads to the front page.
#[must_use]
pub fn see_other(to: &str) -> Response {
    redirect(if is_own(to) { to } else { "/" })
}

/// 303 to an id of ours, whole: programs compare it.
#[must_use]
pub fn see_id(urls: &Urls, id: &str) -> Response {
    let ours = id.strip_prefix(urls.base()).is_some_and(is_own);
    redirect(if ours { id } else { "/" })
}

/// 303 to an address that the app registered, with what it is told. Nothing else leads away from here by itself.
#[must_use]
pub fn back_to_app(client: &Client, registered: &str, told: &str) -> Response {
    if !client.redirect_uris.iter().any(|uri| uri == registered) {
        return redirect("/");
    }
    let joint = if registered.contains('?') { '&' } else { '?' };
    redirect(&format!("{registered}{joint}{told}"))
}

fn redirect(to: &str) -> Response {
    let location = HeaderValue::from_str(to).unwrap_or(HeaderValue::from_static("/"));
    let headers = [(header::LOCATION, location), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    (http::StatusCode::SEE_OTHER, headers).into_response()
}

/// A path of ours to go on to, never an address of somebody else's.
#[must_use]
pub fn own_path(next: &str) -> &str {
    if next.len() <= 4_000 && is_own(next) { next } else { "/" }
}

/// No host, whatever browsers take for one.
fn is_own(path: &str) -> bool {
    path.starts_with('/')
        && !path.starts_with("//")
        && !path.contains('\\')
        && path.bytes().all(|b| b.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_away_by_a_link_to_our_sign_in_page() {
        assert_eq!(own_path("/oauth/authorize?client_id=x&state=%2F"), "/oauth/authorize?client_id=x&state=%2F");
        for bad in ["", "https://evil.example", "//evil.example", "/\\evil.example", "javascript:x", "/a\r\nb", "/a b"]
        {
            assert_eq!(own_path(bad), "/", "{bad}");
            assert_eq!(see_other(bad).headers()[header::LOCATION], "/", "{bad}");
        }
        assert_eq!(see_other("/@dana").headers()[header::LOCATION], "/@dana");
    }

    #[test]
    fn ids_are_ours_and_apps_addresses_are_registered() {
        let urls = Urls::new(&"https://maple.example".parse().unwrap()).unwrap();
        let to = |response: Response| response.headers()[header::LOCATION].to_str().unwrap().to_owned();
        assert_eq!(to(see_id(&urls, "https://maple.example/users/dana")), "https://maple.example/users/dana");
        for bad in [
            "https://evil.example/users/dana",
            "https://maple.example.evil.example/",
            "https://maple.example@evil.example/",
            "/x",
        ] {
            assert_eq!(to(see_id(&urls, bad)), "/", "{bad}");
        }
        let client = Client {
            id: domain::AppId(1),
            client_id: String::new(),
            secret_hash: Vec::new(),
            name: String::new(),
            website: None,
            redirect_uris: vec!["app://back".to_owned(), "https://app.example/?from=porch".to_owned()],
            scopes: domain::scope::Scopes::default(),
            created_at: domain::Timestamp(0),
        };
        assert_eq!(to(back_to_app(&client, "app://back", "code=1")), "app://back?code=1");
        let second = "https://app.example/?from=porch";
        assert_eq!(to(back_to_app(&client, second, "code=1")), "https://app.example/?from=porch&code=1");
        assert_eq!(to(back_to_app(&client, "https://app.example/", "code=1")), "/");
    }
}
