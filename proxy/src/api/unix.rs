//! The API's unix socket: nobody can connect before its permissions are set, and no other daemon loses it.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{
    DirBuilderExt as _, FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};

use super::server::BindError;

/// A unix socket that listens. Its file goes when it is dropped.
#[derive(Debug)]
pub(super) struct UnixSocket {
    pub(super) listener: UnixListener,
    path: PathBuf,
    /// What the file is known by: where another has taken its place, that one stays.
    file: (u64, u64),
    /// Held as long as the socket is served.
    _lock: File,
}

/// Listens at `path`, with permissions `mode`. The folder is made where it is missing; what a dead daemon left
/// is replaced.
///
/// Two daemons that start at once agree by a lock on `PATH.lock`. The socket is made in a folder that only its
/// owner may enter, gets its permissions there, and is then moved to its place.
pub(super) async fn bind(path: &Path, mode: u32) -> Result<UnixSocket, BindError> {
    let failed = |source| BindError::Socket { path: path.to_owned(), source };
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(failed(io::Error::new(io::ErrorKind::InvalidInput, "that is no path of a file")));
    };
    if !folder.as_os_str().is_empty() && !folder.exists() {
        let made = DirBuilder::new().mode(0o755).recursive(true).create(folder);
        made.map_err(|source| BindError::Folder { path: folder.to_owned(), source })?;
    }
    let lock = lock(path)?;
    stale(path).await?;

    let mut hidden = name.to_owned();
    hidden.push(".new");
    let hidden = folder.join(hidden);
    let inside = hidden.join("s");
    clear(&inside, &hidden).map_err(failed)?;
    DirBuilder::new().mode(0o700).create(&hidden).map_err(failed)?;
    let made = || {
        let listener = UnixListener::bind(&inside)?;
        fs::set_permissions(&inside, Permissions::from_mode(mode))?;
        let metadata = fs::symlink_metadata(&inside)?;
        fs::rename(&inside, path)?;
        Ok((listener, (metadata.dev(), metadata.ino())))
    };
    let made = made();
    let cleared = clear(&inside, &hidden);
    let (listener, file) = made.map_err(failed)?;
    let socket = UnixSocket { listener, path: path.to_owned(), file, _lock: lock };
    cleared.map_err(failed)?;
    Ok(socket)
}

/// Takes the lock that says that a daemon serves this path. The kernel gives it back when that daemon dies.
fn lock(path: &Path) -> Result<File, BindError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let failed = |source| BindError::Socket { path: name.clone().into(), source };
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or(0))
        .open(&name)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(BindError::Alive { path: path.to_owned() }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// Whether what is at `path`, if anything, may be replaced: a socket that nobody serves.
async fn stale(path: &Path) -> Result<(), BindError> {
    let failed = |source| BindError::Socket { path: path.to_owned(), source };
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
        Ok(metadata) if !metadata.file_type().is_socket() => {
            return Err(BindError::NotASocket { path: path.to_owned() });
        }
        Ok(_) => {}
    }
    match UnixStream::connect(path).await {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        // Full, which only one that lives can be.
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(BindError::Alive { path: path.to_owned() }),
        Err(error) => Err(failed(error)),
        Ok(_) => Err(BindError::Alive { path: path.to_owned() }),
    }
}

/// Takes away what is left of a socket that was being made.
fn clear(inside: &Path, hidden: &Path) -> io::Result<()> {
    let absent = |done: io::Result<()>| match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    };
    absent(fs::remove_file(inside))?;
    absent(fs::remove_dir(hidden))
}

impl Drop for UnixSocket {
    fn drop(&mut self) {
        let ours =
            fs::symlink_metadata(&self.path).is_ok_and(|metadata| (metadata.dev(), metadata.ino()) == self.file);
        if ours {
            // Where it cannot be removed the next daemon replaces it.
            let _ = fs::remove_file(&self.path);
        }
    }
}
