//! The suite's part for the kernel's SCTP inside a User-Mode Linux, where the kernel here has none.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use pinion_networks::missing::{probe, skipped};
use pinion_networks::namespace::Namespace;
use pinion_networks::user_mode_linux::Kernel;
use pinion_transport::kernel::is_available;

/// Where Debian's user-mode-linux has its modules, one folder a version.
const MODULES: &str = "/usr/lib/uml/modules";
const NEEDED: &str = "crc32c_generic hmac sha1_generic md5 sha256_generic sctp veth";

#[test]
fn the_kernel_conforms() {
    if is_available() {
        println!("the kernel here has SCTP: the other tests show it");
        return;
    }
    let kernel = match probe().and_then(|()| Kernel::find()) {
        Ok(kernel) => kernel,
        Err(missing) => {
            skipped(missing);
            return;
        }
    };
    let folder = tempfile::tempdir().unwrap();
    write_files(folder.path());
    let init = folder.path().join("init");
    let mut command = kernel.command("256M", &init, "null,fd:1", folder.path());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let said = output(command);
    println!("{said}");
    assert!(said.contains("test result: ok.") && !said.contains("skipped:"), "see above");
}

/// What it says until it powers off, alone in its namespaces.
fn output(command: Command) -> String {
    let namespace = Namespace::new().unwrap();
    let mut process = namespace.spawn_caged(command).unwrap();
    let output = process.stdout().unwrap();
    let said = std::io::read_to_string(output).unwrap();
    process.wait().unwrap();
    said
}

fn write_files(folder: &Path) {
    let modules = folder.join("lib/modules");
    fs::create_dir_all(&modules).unwrap();
    for version in fs::read_dir(MODULES).into_iter().flatten().flatten() {
        let version: PathBuf = version.path();
        symlink(&version, modules.join(version.file_name().unwrap())).unwrap();
    }
    let this = std::env::current_exe().unwrap();
    let init = folder.join("init");
    let script = format!(
        "#!/bin/sh\n\
         export PATH=/usr/sbin:/usr/bin:/sbin:/bin\n\
         mount -t proc proc /proc\n\
         mount -t sysfs sysfs /sys\n\
         modprobe -d {} -a {NEEDED}\n\
         {} kernel_ --nocapture --test-threads 1\n\
         poweroff -f\n",
        folder.display(),
        this.display(),
    );
    fs::write(&init, script).unwrap();
    fs::set_permissions(&init, fs::Permissions::from_mode(0o755)).unwrap();
}
