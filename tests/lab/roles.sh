# What a role puts on a host's disk before the first start. Sourced by `lab`.

readonly APP_HOST_HEADER=app.lab

# The port that a host of this role serves on; nothing for `plain`.
role_port() {
    case $1 in
    tomcat) echo 8080 ;;
    haproxy | l4 | nginx | apache) echo 80 ;;
    esac
}

# Dies unless the role is known and its servers are hosts of the lab.
role_check() {
    local host=$1 role=$2 servers=$3 server
    shift 3
    case $role in
    tomcat | plain)
        [[ -z $servers ]] || die_usage "the role \`$role\` of \`$host\` takes no servers" ;;
    haproxy | l4 | nginx | apache | lvs)
        [[ -n $servers ]] || die_usage "the role \`$role\` of \`$host\` wants servers: \`$host=$role:web1,web2\`"
        for server in ${servers//,/ }; do
            [[ " $* " == *" $server "* ]] || die_usage "the server \`$server\` of \`$host\` is no host of this lab"
        done ;;
    *) die_usage "unknown role \`$role\` of \`$host\`; allowed: tomcat, haproxy:HOST,…, l4:HOST,…, nginx:HOST,…, apache:HOST,…, lvs:HOST,…, plain" ;;
    esac
}

role_prepare() {
    local lab=$1 host=$2 root=$3 dir role
    dir=$(lab_dir "$lab")
    role=$(roster_field "$lab" "$host" role)
    cp "$dir/hosts" "$root/etc/hosts"
    echo "$host" >"$root/etc/hostname"
    tr -d - </proc/sys/kernel/random/uuid >"$root/etc/machine-id"
    install -m 0600 "$dir/keys/$host" "$root/etc/ssh/ssh_host_ed25519_key"
    install -m 0644 "$dir/keys/$host.pub" "$root/etc/ssh/ssh_host_ed25519_key.pub"
    install -m 0600 "$dir/ssh_key.pub" "$root/home/deploy/.ssh/authorized_keys"
    chroot "$root" chown deploy:deploy /home/deploy/.ssh/authorized_keys
    case $role in
    tomcat) role_enable "$root" tomcat10 ;;
    haproxy | l4)
        role_haproxy "$lab" "$host" >"$root/etc/haproxy/haproxy.cfg"
        role_enable "$root" haproxy ;;
    nginx)
        role_nginx "$lab" "$host" >"$root/etc/nginx/sites-available/default"
        role_servers "$lab" "$host" 'server {host}:{port} max_fails=0;' >"$root/etc/nginx/app-servers.conf"
        role_enable "$root" nginx ;;
    apache)
        role_apache "$lab" "$host" >"$root/etc/apache2/sites-enabled/000-default.conf"
        role_enable "$root" apache2 ;;
    lvs) director_prepare "$lab" "$host" "$root" ;;
    esac
}

role_enable() {
    if [[ ! -x $1/usr/lib/systemd/systemd ]]; then
        chroot "$1" update-rc.d "$2" defaults
        return
    fi
    ln -s "/lib/systemd/system/$2.service" "$1/etc/systemd/system/multi-user.target.wants/$2.service"
}

# Prints a line for each server of a balancer, with {host} and {port} filled in.
role_servers() {
    local lab=$1 host=$2 line=$3 server port
    for server in $(roster_field "$lab" "$host" servers | tr , ' '); do
        port=$(role_port "$(roster_field "$lab" "$server" role)")
        sed "s/{host}/$server/g; s/{port}/${port:-80}/g" <<<"$line"
    done
}

# Prints the path that tells a balancer whether its servers are well.
role_check_path() {
    local lab=$1 host=$2 servers
    servers=$(roster_field "$lab" "$host" servers)
    if [[ $(roster_field "$lab" "${servers%%,*}" role) == nginx ]]; then
        echo /proxy-health
    else
        cat "$(lab_dir "$lab")/check_path"
    fi
}

# The lines of `defaults` that differ between a balancer of requests and one of connections.
role_haproxy_mode() {
    case $1 in
    haproxy) printf '    %s\n' "mode http" "option httplog" "option forwardfor" "timeout http-keep-alive 10s" ;;
    l4) printf '    %s\n' "mode tcp" "option tcplog" ;;
    esac
}

role_haproxy() {
    local lab=$1 host=$2
    cat <<END
global
    log stdout format raw local0 info
    user haproxy
    group haproxy
    stats socket /run/haproxy/admin.sock mode 660 level admin
    stats timeout 30s

defaults
$(role_haproxy_mode "$(roster_field "$lab" "$host" role)")
    log global
    option dontlognull
    option redispatch
    retries 3
    timeout connect 2s
    timeout client 30s
    timeout server 30s
    timeout queue 5s
    timeout check 2s

frontend app
    bind :80
    default_backend app

backend app
    balance roundrobin
    option httpchk
    # Tomcat answers 400 without a Host.
    http-check send meth GET uri $(role_check_path "$lab" "$host") ver HTTP/1.1 hdr Host $APP_HOST_HEADER
    http-check expect status 200
    default-server check inter 500ms fall 2 rise 2
$(role_servers "$lab" "$host" '    server {host} {host}:{port}')
END
}

role_nginx() {
    local lab=$1 host=$2
    cat <<END
# Drained while the file /run/nginx-drain exists: the check fails, and every answer closes
# its connection, or clients with keep-alive would notice the stop. While /run/nginx-close
# exists, every answer closes its connection: clients with keep-alive would notice a reload.
upstream app {
    include /etc/nginx/app-servers.conf;
    keepalive 16;
}

server {
    listen 80 default_server;
    server_name _;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host \$host;
    proxy_set_header X-Forwarded-For \$proxy_add_x_forwarded_for;
    proxy_connect_timeout 1s;

    # Through to the application: a proxy with nothing behind it must not be sent anybody.
    location = /proxy-health {
        keepalive_timeout 0;
        if (-f /run/nginx-drain) { return 503; }
        proxy_set_header Connection "";
        proxy_set_header Host $APP_HOST_HEADER;
        proxy_pass http://app$(<"$(lab_dir "$lab")/check_path");
    }
    location / {
        error_page 418 = @drained;
        if (-f /run/nginx-drain) { return 418; }
        if (-f /run/nginx-close) { return 418; }
        proxy_pass http://app;
    }
    location @drained {
        keepalive_timeout 0;
        proxy_pass http://app;
    }
}
END
}

role_apache() {
    local lab=$1 host=$2 module
    for module in proxy proxy_http proxy_balancer lbmethod_byrequests slotmem_shm status; do
        echo "LoadModule ${module}_module /usr/lib/apache2/modules/mod_$module.so"
    done
    cat <<END
ServerName $host
<Proxy "balancer://app">
$(role_servers "$lab" "$host" '    BalancerMember "http://{host}:{port}" retry=0')
</Proxy>
<VirtualHost *:80>
    ProxyPass "/balancer-manager" "!"
    ProxyPass "/" "balancer://app/"
    <Location "/balancer-manager">
        SetHandler balancer-manager
        Require local
    </Location>
</VirtualHost>
END
}
