/** What an nginx with Nchan needs to know. */
export interface NchanSetting {
  readonly modulePath: string
  /** A folder of its own, for what it writes. */
  readonly folder: string
  readonly host: string
  readonly port: number
  /** Asked `POST {"token"}` for each new connection. */
  readonly authUrl: string
  /** What publishers have to show as bearer. */
  readonly key: string
}

/**
 * The configuration of nginx with Nchan, as one would write it for this work. bench/README.md says why each setting was chosen.
 *
 * One process instead of a master with one worker, so that no worker outlives a bench that was killed: `master_process off`
 * runs the same event loop.
 */
export function nchanConfig(setting: NchanSetting): string {
  const { modulePath, folder, host, port, authUrl, key } = setting
  const auth = new URL(authUrl)
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    name => `${name}_temp_path ${folder}/${name};`,
  )
  return `load_module ${modulePath};
daemon off;
master_process off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr error;
events {
  worker_connections 19000;
  multi_accept on;
}
http {
  access_log off;
  ${temporary.join('\n  ')}
  keepalive_requests 100000000;
  nchan_shared_memory_size 256M;
  upstream cms {
    server ${auth.host};
    keepalive 64;
    keepalive_requests 100000000;
  }
  map $request_uri $token {
    ~[?&]token=([0-9A-Za-z]+) $1;
  }
  server {
    listen ${host}:${port} backlog=4096;
    location = /readyz {
      return 200;
    }
    location ~ ^/stream/([\\w,]+)$ {
      nchan_subscriber eventsource;
      nchan_channel_id $1;
      nchan_channel_id_split_delimiter ",";
      nchan_subscriber_first_message newest;
      nchan_authorize_request /auth;
    }
    location ~ ^/poll/([\\w,]+)$ {
      nchan_subscriber longpoll;
      nchan_channel_id $1;
      nchan_channel_id_split_delimiter ",";
      nchan_subscriber_first_message newest;
      nchan_authorize_request /auth;
    }
    location ~ ^/spread/(\\d+)/(\\d+)/(\\d+)/(\\d+)/(\\d+)/(\\d+)$ {
      nchan_subscriber eventsource;
      nchan_channel_id c$2 c$3 c$4 c$5 c$6 own_$1;
      nchan_subscriber_first_message newest;
      nchan_authorize_request /auth;
    }
    location = /auth {
      internal;
      proxy_pass http://cms${auth.pathname};
      proxy_method POST;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Content-Type application/json;
      proxy_set_body '{"token":"$token"}';
    }
    location ~ ^/publish/(\\w+)$ {
      if ($http_authorization != "Bearer ${key}") {
        return 401;
      }
      nchan_publisher http;
      nchan_channel_id $1;
      nchan_message_buffer_length 10000;
      nchan_message_timeout 1h;
    }
  }
}
`
}
