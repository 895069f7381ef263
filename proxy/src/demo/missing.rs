//! What this machine lacks for the demonstration in the kernel, and what to type.

use std::env;
use std::path::{Path, PathBuf};

use pinion_loader::kernel::{Kernel, PROGRAM};
use pinion_networks::{Missing, missing};

use super::configuration::BOUNDS;

/// What is missing, a line each, with what to do about it; empty where nothing is.
pub(crate) fn missing_here() -> Vec<String> {
    if let Err(missing) = missing::probe() {
        return vec![remedy(&missing, &this_program())];
    }
    // A kernel may be new enough and refuse the program all the same, as one without type information (BTF) does.
    let verified = Kernel::load(BOUNDS).and_then(|mut kernel| kernel.verify(PROGRAM));
    match verified {
        Ok(_) => Vec::new(),
        Err(error) => {
            let error = error.to_string();
            vec![format!("XDP is missing: {}", error.lines().next().unwrap_or_default())]
        }
    }
}

fn remedy(missing: &Missing, program: &Path) -> String {
    match missing {
        Missing::Root => format!(
            "root is missing (CAP_SYS_ADMIN for namespaces, CAP_BPF and CAP_NET_ADMIN for XDP); type: sudo {} demo",
            program.display()
        ),
        Missing::Namespaces(why) => format!(
            "network namespaces with veth are missing ({why}); in a container, give it CAP_SYS_ADMIN, CAP_NET_ADMIN and \
             CAP_BPF: docker run --privileged"
        ),
        Missing::Program { .. } | Missing::Processor(_) => missing.to_string(),
    }
}

/// This program, as it can be typed here.
fn this_program() -> PathBuf {
    let program = env::current_exe().unwrap_or_else(|_| "pinion".into());
    let here = env::current_dir().ok();
    here.and_then(|here| program.strip_prefix(here).map(Path::to_owned).ok()).unwrap_or(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_type_is_said() {
        let line = remedy(&Missing::Root, Path::new("target/release/pinion"));
        assert!(line.contains("CAP_SYS_ADMIN") && line.ends_with("sudo target/release/pinion demo"), "{line}");
        let line = remedy(&Missing::Namespaces("unshare: not permitted".into()), Path::new("pinion"));
        assert!(line.contains("unshare: not permitted") && line.contains("--privileged"), "{line}");
    }
}
