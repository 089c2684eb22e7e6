/// The names of NFS operations, in the order in which the kernel prints their counters.
package enum NFSOperations {
    /// RFC 1094.
    package static let version2: [StaticString] = [
        "null", "getattr", "setattr", "root", "lookup", "readlink", "read", "wrcache", "write", "create", "remove",
        "rename", "link", "symlink", "mkdir", "rmdir", "readdir", "statfs",
    ]

    /// RFC 1813.
    package static let version3: [StaticString] = [
        "null", "getattr", "setattr", "lookup", "access", "readlink", "read", "write", "create", "mkdir", "symlink",
        "mknod", "remove", "rmdir", "rename", "link", "readdir", "readdirplus", "fsstat", "fsinfo", "pathconf",
        "commit",
    ]

    /// What the client calls in version 4: compounds, by what they are for (include/linux/nfs4.h).
    package static let version4Client: [StaticString] = [
        "null", "read", "write", "commit", "open", "open_confirm", "open_noattr", "open_downgrade", "close", "setattr",
        "fsinfo", "renew", "setclientid", "setclientid_confirm", "lock", "lockt", "locku", "access", "getattr",
        "lookup", "lookup_root", "remove", "rename", "link", "symlink", "create", "pathconf", "statfs", "readlink",
        "readdir", "server_caps", "delegreturn", "getacl", "setacl", "fs_locations", "release_lockowner", "secinfo",
        "fsid_present", "exchange_id", "create_session", "destroy_session", "sequence", "get_lease_time",
        "reclaim_complete", "layoutget", "getdeviceinfo", "layoutcommit", "layoutreturn", "secinfo_no_name",
        "test_stateid", "free_stateid", "getdevicelist", "bind_conn_to_session", "destroy_clientid", "seek", "allocate",
        "deallocate", "layoutstats", "clone", "copy", "offload_cancel", "lookupp", "layouterror", "copy_notify",
        "getxattr", "setxattr", "listxattrs", "removexattr", "read_plus",
    ]

    /// What the server is called in version 4: nothing but compounds.
    package static let version4Server: [StaticString] = ["null", "compound"]

    /// What these compounds are made of; RFC 7530, 8881, 7862 and 8276 count from 3.
    package static let version4ServerParts: [StaticString] = [
        "op0", "op1", "op2", "access", "close", "commit", "create", "delegpurge", "delegreturn", "getattr", "getfh",
        "link", "lock", "lockt", "locku", "lookup", "lookupp", "nverify", "open", "openattr", "open_confirm",
        "open_downgrade", "putfh", "putpubfh", "putrootfh", "read", "readdir", "readlink", "remove", "rename", "renew",
        "restorefh", "savefh", "secinfo", "setattr", "setclientid", "setclientid_confirm", "verify", "write",
        "release_lockowner", "backchannel_ctl", "bind_conn_to_session", "exchange_id", "create_session",
        "destroy_session", "free_stateid", "get_dir_delegation", "getdeviceinfo", "getdevicelist", "layoutcommit",
        "layoutget", "layoutreturn", "secinfo_no_name", "sequence", "set_ssv", "test_stateid", "want_delegation",
        "destroy_clientid", "reclaim_complete", "allocate", "copy", "copy_notify", "deallocate", "io_advise",
        "layouterror", "layoutstats", "offload_cancel", "offload_status", "read_plus", "seek", "write_same", "clone",
        "getxattr", "setxattr", "listxattrs", "removexattr",
    ]
}
