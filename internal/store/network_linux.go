package store

import "golang.org/x/sys/unix"

// networkTypes are the filesystems that several machines can mount, by their type in statfs(2)
// and the kernel's linux/magic.h. FUSE is missing because it serves local disks as well.
var networkTypes = map[uint32]string{
	unix.NFS_SUPER_MAGIC:  "NFS",
	unix.SMB_SUPER_MAGIC:  "SMB",
	unix.CIFS_SUPER_MAGIC: "SMB",
	unix.SMB2_SUPER_MAGIC: "SMB",
	unix.AFS_SUPER_MAGIC:  "AFS",
	unix.CODA_SUPER_MAGIC: "Coda",
	unix.CEPH_SUPER_MAGIC: "Ceph",
	0x0bd00bd0:            "Lustre",
	0x47504653:            "GPFS",
	0x19830326:            "BeeGFS",
}

// networkFilesystem returns the kind of network filesystem that holds folder, or "".
func networkFilesystem(folder string) string {
	var s unix.Statfs_t
	if unix.Statfs(folder, &s) != nil {
		return ""
	}
	return networkTypes[uint32(s.Type)]
}
