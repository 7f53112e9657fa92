# Debian's rpm keeps its database in the caller's home; an EL host has it here.
%_dbpath /var/lib/rpm
