//! `GET` and `POST /oauth/authorize`: a person is asked whether an app may act for her, and answers.
//!
//! As long as it is not certain that the address to go back to is the app's own, problems are shown here; after that
//! they are told to the app (RFC 6749, section 4.1.2.1), once she has answered.

use app::oauth::allow::{Consent, allow};
use app::oauth::register::OUT_OF_BAND;
use axum::Form;
use axum::extract::{OriginalUri, State};
use axum::response::Response;
use domain::scope::Scopes;
use http::{HeaderValue, header};
use serde::{Deserialize, Serialize};
use storage::oauth::Client;
use url::Url;

use super::grants::{for_staff, in_words};
use super::pages::{ConsentPage, OutOfBandPage};
use crate::auth::SignedIn;
use crate::state::Web;
use crate::ui::message::Problem;
use crate::ui::visitor::{Visitor, back_to_app, see_other};

/// What an app asks for, in the query first, then carried through the form.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Asked {
    response_type: String,
    client_id: String,
    redirect_uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code_challenge: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code_challenge_method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    force_login: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Answer {
    csrf: String,
    decision: String,
    #[serde(flatten)]
    asked: Asked,
}

/// A request whose client and address are certain.
struct Request {
    client: Client,
    redirect_uri: String,
    state: Option<String>,
}

/// What the app is told in an error (RFC 6749, section 4.1.2.1).
struct Refusal(&'static str, &'static str);

impl Request {
    /// # Errors
    /// [`Problem::AppMistaken`] when the client is unknown or the address is not registered.
    async fn of(web: &Web, asked: &Asked) -> Result<Self, Problem> {
        let mistaken = |why: &str| Problem::AppMistaken(why.to_owned());
        let mut conn = web.app.db.read().await?;
        let client = storage::oauth::client_by_client_id(&mut conn, &asked.client_id)
            .await?
            .ok_or_else(|| mistaken("the client_id is not known here"))?;
        let redirect_uri = client
            .redirect_uris
            .iter()
            .find(|uri| leads_to(uri, &asked.redirect_uri))
            .map(|_| asked.redirect_uri.clone())
            .ok_or_else(|| mistaken("the redirect_uri is not one that the app registered"))?;
        Ok(Self { client, redirect_uri, state: asked.state.clone() })
    }

    fn is_out_of_band(&self) -> bool {
        self.redirect_uri == OUT_OF_BAND
    }

    /// Sends the app its answer.
    fn back(&self, pairs: &[(&str, &str)]) -> Response {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(pairs);
        if let Some(state) = &self.state {
            query.append_pair("state", state);
        }
        back_to_app(&self.client, &self.redirect_uri, &query.finish())
    }

    fn refuse(&self, Refusal(error, description): Refusal) -> Result<Response, Problem> {
        if self.is_out_of_band() {
            return Err(Problem::AppMistaken(description.to_owned()));
        }
        Ok(self.back(&[("error", error), ("error_description", description)]))
    }
}

/// What is asked for, if it can be granted.
fn terms(client: &Client, asked: &Asked) -> Result<(Scopes, Option<String>), Refusal> {
    if asked.response_type != "code" {
        return Err(Refusal("unsupported_response_type", "only response_type=code is offered"));
    }
    let scope = asked.scope.as_deref().filter(|s| !s.trim().is_empty()).unwrap_or("read");
    let scopes = Scopes::parse(scope).map_err(|_| Refusal("invalid_scope", "the scope is not known"))?;
    if !client.scopes.contains_all(&scopes) {
        return Err(Refusal("invalid_scope", "the scope is more than the app registered"));
    }
    let challenge = asked.code_challenge.as_deref().filter(|c| !c.is_empty());
    let method = asked.code_challenge_method.as_deref().filter(|m| !m.is_empty());
    match (challenge, method) {
        (None, None) => Ok((scopes, None)),
        (Some(challenge), Some("S256")) if is_s256(challenge) => Ok((scopes, Some(challenge.to_owned()))),
        (Some(_), Some("S256")) => Err(Refusal("invalid_request", "the code_challenge is not a SHA-256")),
        _ => Err(Refusal("invalid_request", "the code_challenge_method must be S256")),
    }
}

/// 32 bytes in base64url without padding (RFC 7636, section 4.2).
fn is_s256(challenge: &str) -> bool {
    challenge.len() == 43 && challenge.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// Shows who asks for what; signs her in first where needed.
pub async fn ask(State(web): State<Web>, visitor: Visitor, OriginalUri(uri): OriginalUri) -> Result<Response, Problem> {
    let asked: Asked = serde_html_form::from_str(uri.query().unwrap_or_default()).map_err(|_| Problem::Unreadable)?;
    let request = Request::of(&web, &asked).await?;
    let scopes = match terms(&request.client, &asked) {
        Ok((scopes, _)) => scopes,
        // Anybody registers an app: a link to this page that leads on at once would lead anywhere (RFC 9700, section
        // 4.11.2). What is wrong is told here, and to the app only after somebody pressed a button.
        Err(Refusal(_, why)) => return Err(Problem::AppMistaken(why.to_owned())),
    };
    let force = asked.force_login.as_deref().is_some_and(|f| matches!(f, "true" | "1"));
    let here = here(&asked)?;
    let (Some(me), false) = (&visitor.me, force) else {
        return Ok(see_other(&sign_in_first(&here, force)));
    };
    let granted = usable(&scopes, me)?;
    let hidden = fields(&asked);
    let destination = Url::parse(&request.redirect_uri).ok().filter(|_| !request.is_out_of_band()).map(|url| {
        url.host_str().filter(|_| matches!(url.scheme(), "http" | "https")).unwrap_or(url.scheme()).to_owned()
    });
    let page = ConsentPage {
        frame: visitor.frame("Let an app in").narrow().bare(),
        app: request.client.name.clone(),
        website: request.client.website.clone(),
        destination,
        me: visitor.look().handle(&me.account),
        grants: in_words(&granted),
        staff: for_staff(&granted),
        withheld: granted != scopes,
        hidden,
        other_account: sign_in_first(&here, true),
    };
    let mut response = visitor.form(&page)?;
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy(&request.redirect_uri));
    Ok(response)
}

/// She answered.
pub async fn answer(
    State(web): State<Web>,
    visitor: Visitor,
    Form(Answer { csrf, decision, asked }): Form<Answer>,
) -> Result<Response, Problem> {
    visitor.check_form(&csrf).await?;
    let request = Request::of(&web, &asked).await?;
    let (scopes, challenge) = match terms(&request.client, &asked) {
        Ok(terms) => terms,
        Err(refusal) => return request.refuse(refusal),
    };
    let Some(me) = &visitor.me else { return Ok(see_other(&sign_in_first(&here(&asked)?, false))) };
    if decision != "allow" {
        if request.is_out_of_band() {
            return Ok(see_other("/"));
        }
        return request.refuse(Refusal("access_denied", "she said no"));
    }
    let consent = Consent {
        by: me.member.credentials(),
        redirect_uri: request.redirect_uri.clone(),
        scopes: usable(&scopes, me)?,
        challenge,
    };
    let code = allow(&web.app, &request.client, consent).await?;
    if !request.is_out_of_band() {
        return Ok(request.back(&[("code", &code)]));
    }
    let frame = visitor.frame("Your code").narrow().bare();
    visitor.form(&OutOfBandPage { frame, app: request.client.name.clone(), code })
}

/// What she can grant of it.
fn usable(scopes: &Scopes, me: &SignedIn) -> Result<Scopes, Problem> {
    let usable = scopes.usable_by(Some(me.member.role));
    if usable.is_empty() {
        return Err(Problem::AppMistaken("it asked only for what those who look after this place may do".to_owned()));
    }
    Ok(usable)
}

/// The address of this question, asked again without `force_login`.
fn here(asked: &Asked) -> Result<String, Problem> {
    let again = Asked { force_login: None, ..asked.clone() };
    let query = serde_html_form::to_string(&again).map_err(Problem::internal)?;
    Ok(format!("/oauth/authorize?{query}"))
}

fn sign_in_first(here: &str, again: bool) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("next", here);
    if again {
        query.append_pair("again", "1");
    }
    format!("/login?{}", query.finish())
}

fn fields(asked: &Asked) -> Vec<(&'static str, String)> {
    let mut fields = vec![
        ("response_type", asked.response_type.clone()),
        ("client_id", asked.client_id.clone()),
        ("redirect_uri", asked.redirect_uri.clone()),
    ];
    let optional = [
        ("scope", &asked.scope),
        ("state", &asked.state),
        ("code_challenge", &asked.code_challenge),
        ("code_challenge_method", &asked.code_challenge_method),
    ];
    fields.extend(optional.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))));
    fields
}

/// Browsers hold the form to `form-action` through every redirect that follows, so the app's scheme must be allowed.
fn policy(redirect_uri: &str) -> HeaderValue {
    let scheme = Url::parse(redirect_uri).map(|u| u.scheme().to_owned()).unwrap_or_default();
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' {scheme}:; base-uri 'none'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"))
}

/// Is it the address that was registered? On the loopback interface an app takes whichever port is free (RFC 8252,
/// section 7.3): there any port will do.
fn leads_to(registered: &str, asked: &str) -> bool {
    let portless = |uri: &str| {
        let mut url = Url::parse(uri).ok().filter(|url| url.scheme() == "http")?;
        matches!(url.host_str(), Some("127.0.0.1" | "[::1]")).then_some(())?;
        url.set_port(None).ok()?;
        Some(url)
    };
    registered == asked || portless(registered).is_some_and(|registered| portless(asked) == Some(registered))
}

#[cfg(test)]
mod tests {
    use super::leads_to;

    #[test]
    fn any_port_of_the_loopback_interface_will_do() {
        let registered = "http://127.0.0.1/cb";
        for asked in [registered, "http://127.0.0.1:48123/cb", "http://127.0.0.1:1/cb"] {
            assert!(leads_to(registered, asked), "{asked}");
        }
        assert!(leads_to("http://[::1]:9000/cb?x=1", "http://[::1]:9001/cb?x=1"));
        for (registered, asked) in [
            (registered, "http://127.0.0.1:48123/other"),
            (registered, "http://127.0.0.1:48123/cb?x=1"),
            (registered, "https://127.0.0.1:48123/cb"),
            (registered, "http://127.0.0.2:48123/cb"),
            (registered, "http://user@127.0.0.1:48123/cb"),
            (registered, "http://[::1]/cb"),
            ("http://localhost/cb", "http://localhost:48123/cb"),
            ("https://app.example/cb", "https://app.example:8443/cb"),
        ] {
            assert!(!leads_to(registered, asked), "{asked}");
        }
    }
}
