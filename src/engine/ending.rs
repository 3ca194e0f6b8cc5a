//! The end of a job as something to wait for: one end, however many wait for it.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

/// The end of one job, as the process knows it that sees it come.
#[derive(Debug, Clone, Default)]
pub struct End(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    is_reached: bool,
    /// What is woken then, each with the number of its [`Ending`].
    wakers: Vec<(u64, Waker)>,
    next: u64,
}

impl End {
    /// That of a job that is finished.
    pub fn reached() -> Self {
        let end = Self::default();
        end.reach();
        end
    }

    /// Says that it has come, and wakes all that wait for it.
    pub fn reach(&self) {
        let wakers = {
            let mut state = self.state();
            state.is_reached = true;
            std::mem::take(&mut state.wakers)
        };
        wakers.into_iter().for_each(|(_, waker)| waker.wake());
    }

    /// Waits for it: `waker` is woken when it comes, as long as the result is kept.
    pub fn wait(&self, waker: &Waker) -> Ending {
        let mut state = self.state();
        let number = state.next;
        state.next += 1;
        if state.is_reached {
            waker.wake_by_ref();
        } else {
            state.wakers.push((number, waker.clone()));
        }
        drop(state);
        Ending { end: self.clone(), number, kept: None }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A wait for the end of a job.
pub struct Ending {
    end: End,
    number: u64,
    /// What lasts as long as the wait.
    kept: Option<Box<dyn Send>>,
}

impl Ending {
    /// The same, with something that is to be dropped when the wait has finished.
    #[must_use]
    pub fn keeping(self, kept: Option<impl Send + 'static>) -> Self {
        let kept = kept.map(|kept| Box::new(kept) as Box<dyn Send>);
        // It has a destructor of its own.
        let mut ending = self;
        ending.kept = kept;
        ending
    }

    /// Whether the job is finished.
    pub fn is_reached(&self) -> bool {
        self.end.state().is_reached
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.end.state().wakers.retain(|(number, _)| *number != self.number);
    }
}

impl fmt::Debug for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ending").field("is_reached", &self.is_reached()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn an_end_wakes_all_that_still_wait_for_it() {
        let count = Arc::new(Count::default());
        let (end, waker) = (End::default(), Waker::from(Arc::clone(&count)));
        let (one, other) = (end.wait(&waker), end.wait(&waker));
        drop(other);
        assert!(!one.is_reached());
        end.reach();
        assert!(one.is_reached());
        assert_eq!(count.0.load(Ordering::SeqCst), 1);
        // One that comes later is told at once.
        assert!(End::reached().wait(&waker).is_reached());
        assert_eq!(count.0.load(Ordering::SeqCst), 2);
    }
}
