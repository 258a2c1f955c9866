//! What the community says about itself, remembered for a moment: every page shows its name.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use app::App;
use app::accounts::set_up;
use domain::instance::CommunitySettings;
use storage::Recent;

/// Another process may change the settings; this one sees it after so long at most.
const REMEMBER: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub struct Community {
    settings: Recent<(), Arc<CommunitySettings>>,
    /// Somebody is, or was, a member: it is not new, and never will be again.
    begun: AtomicBool,
}

impl Default for Community {
    fn default() -> Self {
        Self { settings: Recent::new(1, REMEMBER), begun: AtomicBool::new(false) }
    }
}

impl Community {
    /// # Errors
    /// When the database cannot answer.
    pub async fn get(&self, app: &App) -> app::Result<Arc<CommunitySettings>> {
        if let Some(settings) = self.settings.get(&()) {
            return Ok(settings);
        }
        let mut conn = app.db.read().await?;
        let settings = Arc::new(storage::settings::community(&mut conn).await?);
        self.settings.insert((), settings.clone());
        Ok(settings)
    }

    /// The name, or the program's where the database cannot answer: for pages that tell of just that.
    pub async fn title(&self, app: &App) -> String {
        match self.get(app).await {
            Ok(settings) => settings.title.clone(),
            Err(_) => CommunitySettings::default().title,
        }
    }

    /// Is this a new server, for whoever opens it first to make hers?
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn is_new(&self, app: &App) -> app::Result<bool> {
        if self.begun.load(Ordering::Relaxed) {
            return Ok(false);
        }
        let new = set_up::is_open(app).await?;
        self.begun.store(!new, Ordering::Relaxed);
        Ok(new)
    }

    /// They were changed here.
    pub fn forget(&self) {
        self.settings.clear();
    }
}
