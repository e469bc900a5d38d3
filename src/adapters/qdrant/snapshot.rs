//! A copy of an index beside it, taken while it serves: where the files turn out to be broken, a start goes back to it and
//! catches up, instead of encoding everything once more.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::edge::MANIFEST;
use super::layout::{aside, failed, remove_dir};
use crate::ports::index::IndexError;

/// Where the copy of the index in `dir` is.
pub(super) fn place(dir: &Path) -> PathBuf {
    dir.join("snapshot")
}

/// When the copy was taken; `None` where there is none.
pub(super) fn taken_at(dir: &Path) -> Option<Timestamp> {
    let written = fs::metadata(place(dir).join(MANIFEST)).and_then(|file| file.modified()).ok()?;
    Timestamp::try_from(written).ok()
}

/// Makes an empty directory for a copy that is being taken.
pub(super) fn begin(dir: &Path) -> Result<PathBuf, IndexError> {
    let new = aside(&place(dir), "new");
    remove_dir(&new)?;
    fs::create_dir(&new).map_err(|error| failed("make a directory for a snapshot", &error))?;
    Ok(new)
}

/// Puts a copy that is whole in place of the one before.
pub(super) fn finish(dir: &Path) -> Result<(), IndexError> {
    let place = place(dir);
    remove_dir(&place)?;
    fs::rename(aside(&place, "new"), &place).map_err(|error| failed("put a snapshot in its place", &error))
}

/// Deletes the copy, and one that was not finished: what was erased is in them.
pub(super) fn delete(dir: &Path) -> Result<(), IndexError> {
    let place = place(dir);
    remove_dir(&aside(&place, "new"))?;
    remove_dir(&place)
}

/// Moves the copy of `shelves` to where the broken files are. It is used up by that: its name stands for what the index
/// was then, and the index goes on from there. What a crash leaves in between has no manifest and is nobody's index.
pub(super) fn put_back(dir: &Path, shelves: [&str; 2]) -> Result<(), IndexError> {
    let move_back = |name: &str| {
        fs::rename(place(dir).join(name), dir.join(name)).map_err(|error| failed("put a snapshot back", &error))
    };
    for shelf in shelves {
        remove_dir(&dir.join(shelf))?;
        move_back(shelf)?;
    }
    move_back(MANIFEST)?;
    delete(dir)
}

/// Copies a directory with all that is in it, durably.
pub(super) fn copy(from: &Path, to: &Path) -> Result<(), IndexError> {
    copy_files(from, to).map_err(|error| failed("copy its files for a snapshot", &error))
}

fn copy_files(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy_files(&from, &to)?;
        } else {
            fs::copy(&from, &to)?;
            File::open(&to)?.sync_all()?;
        }
    }
    Ok(())
}
