//! What the community says about itself, remembered for a moment: every page shows its name.

use std::sync::Arc;
use std::time::Duration;

use app::App;
use domain::instance::CommunitySettings;
use moka::future::Cache;

/// Another process may change the settings; this one sees it after so long at most.
const REMEMBER: Duration = Duration::from_secs(5);

#[derive(Debug, Clone)]
pub struct Community(Cache<(), Arc<CommunitySettings>>);

impl Default for Community {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(1).time_to_live(REMEMBER).build())
    }
}

impl Community {
    /// # Errors
    /// When the database cannot answer.
    pub async fn get(&self, app: &App) -> app::Result<Arc<CommunitySettings>> {
        if let Some(settings) = self.0.get(&()).await {
            return Ok(settings);
        }
        let mut conn = app.db.read().await?;
        let settings = Arc::new(storage::settings::community(&mut conn).await?);
        self.0.insert((), settings.clone()).await;
        Ok(settings)
    }

    /// The name, or the program's where the database cannot answer: for pages that tell of just that.
    pub async fn title(&self, app: &App) -> String {
        match self.get(app).await {
            Ok(settings) => settings.title.clone(),
            Err(_) => CommunitySettings::default().title,
        }
    }

    /// They were changed here.
    pub async fn forget(&self) {
        self.0.invalidate(&()).await;
    }
}
