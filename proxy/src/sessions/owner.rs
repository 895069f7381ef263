use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

/// The packet path's tables, shared by all tasks of the daemon, used by one at a time.
///
/// Work is a closure that runs without a pause. Short work ([`Owner::quick`]: a batch of pins, one step of a sweep)
/// runs in place while nobody else is at the tables, which saves two switches of threads; otherwise, and always
/// for long work ([`Owner::long`]: laying out a configuration), it runs on a thread that may block. So no task ever
/// waits in the runtime's threads. Work that would take more than a millisecond or so is cut into steps by its
/// caller, each a closure of its own: the others get their turn in between.
///
/// Once begun, work runs to its end, even if the future that waits for it is dropped. There is no order between
/// those who wait.
#[derive(Debug)]
pub struct Owner<M: ?Sized> {
    tables: Arc<Mutex<M>>,
}

impl<M: ?Sized> Clone for Owner<M> {
    fn clone(&self) -> Self {
        Self { tables: Arc::clone(&self.tables) }
    }
}

impl<M> Owner<M> {
    /// Takes the tables over.
    #[must_use]
    pub fn new(tables: M) -> Self {
        Self { tables: Arc::new(Mutex::new(tables)) }
    }
}

impl<M: ?Sized> From<Arc<Mutex<M>>> for Owner<M> {
    /// The way to an owner of a trait object: an `Arc<Mutex<M>>` becomes an `Arc<Mutex<dyn Trait>>` by itself.
    fn from(tables: Arc<Mutex<M>>) -> Self {
        Self { tables }
    }
}

impl<M: ?Sized> Owner<M> {
    /// What is shared.
    #[must_use]
    pub fn tables(&self) -> Arc<Mutex<M>> {
        Arc::clone(&self.tables)
    }

    /// Does work from outside of the runtime; it may wait.
    pub fn blocking<R>(&self, work: impl FnOnce(&mut M) -> R) -> R {
        work(&mut lock(&self.tables))
    }
}

impl<M: ?Sized + Send + 'static> Owner<M> {
    /// Does short work: in place where nobody else is at the tables.
    pub async fn quick<R: Send + 'static>(&self, work: impl FnOnce(&mut M) -> R + Send + 'static) -> R {
        {
            let free = match self.tables.try_lock() {
                Ok(tables) => Some(tables),
                Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => None,
            };
            if let Some(mut tables) = free {
                return work(&mut tables);
            }
        }
        self.long(work).await
    }

    /// Does long work, on a thread that may block.
    pub async fn long<R: Send + 'static>(&self, work: impl FnOnce(&mut M) -> R + Send + 'static) -> R {
        let tables = self.tables();
        match tokio::task::spawn_blocking(move || work(&mut lock(&tables))).await {
            Ok(result) => result,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // Cancelled: the runtime ends, and with it this task.
                Err(_) => std::future::pending().await,
            },
        }
    }
}

/// A panic of somebody else's work says nothing about the kernel's maps: they are used on.
fn lock<M: ?Sized>(tables: &Mutex<M>) -> MutexGuard<'_, M> {
    tables.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[tokio::test]
    async fn short_work_waits_for_long_work_and_blocks_no_task() {
        let owner = Owner::new(0_u32);
        let (go, wait) = mpsc::channel::<()>();
        let (begun, began) = tokio::sync::oneshot::channel();
        let other = owner.clone();
        let long = tokio::spawn(async move {
            other
                .long(move |number| {
                    begun.send(()).unwrap();
                    wait.recv().unwrap();
                    *number = 1;
                })
                .await;
        });
        began.await.unwrap();
        let other = owner.clone();
        let short = tokio::spawn(async move { other.quick(|number| *number += 10).await });
        // This runtime has one thread: were it blocked, nobody could say go.
        tokio::task::yield_now().await;
        go.send(()).unwrap();
        long.await.unwrap();
        short.await.unwrap();
        assert_eq!(owner.blocking(|number| *number), 11);
    }

    #[tokio::test]
    async fn work_goes_on_when_nobody_waits_for_it() {
        let owner = Owner::new(0_u32);
        let (go, wait) = mpsc::channel::<()>();
        let work = owner.long(move |number| {
            wait.recv().unwrap();
            *number = 7;
        });
        assert!(tokio::time::timeout(std::time::Duration::from_millis(1), work).await.is_err());
        go.send(()).unwrap();
        owner.long(|_| ()).await;
        assert_eq!(owner.blocking(|number| *number), 7);
    }
}
