// Owns writing a container's hosts, hostname and resolv.conf.
