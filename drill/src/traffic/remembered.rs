//! What was acknowledged, as long as it has to be looked for.

use parking_lot::Mutex;

/// What was acknowledged in this stage, and a sample of that of earlier ones.
pub struct Remembered<T> {
    new: Mutex<Vec<T>>,
    kept: Mutex<Vec<T>>,
}

impl<T> Default for Remembered<T> {
    fn default() -> Self {
        let (new, kept) = (Mutex::default(), Mutex::default());
        Self { new, kept }
    }
}

impl<T: Clone> Remembered<T> {
    /// Something more was acknowledged.
    pub fn add(&self, one: T) {
        self.new.lock().push(one);
    }

    /// What was acknowledged in this stage, which is over: what is not kept is forgotten.
    pub fn take(&self) -> Vec<T> {
        std::mem::take(&mut *self.new.lock())
    }

    /// Keeps one in `one_in` of `some` for the end, until `most` are kept.
    pub fn keep(&self, some: &[T], one_in: usize, most: usize) {
        let mut kept = self.kept.lock();
        let room = most.saturating_sub(kept.len());
        kept.extend(some.iter().step_by(one_in).take(room).cloned());
    }

    /// What is kept of the stages that are over.
    pub fn kept(&self) -> Vec<T> {
        self.kept.lock().clone()
    }

    /// What is kept, and what was acknowledged in this stage.
    pub fn all(&self) -> Vec<T> {
        let mut all = self.kept();
        all.extend(self.new.lock().iter().cloned());
        all
    }
}
