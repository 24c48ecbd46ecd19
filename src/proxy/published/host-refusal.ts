/** A framework that refuses hosts it does not know. */
interface Framework {
  readonly status: number
  /** Words of its response. */
  readonly words: RegExp
  /** Paths that it guards; missing: all. */
  readonly path?: RegExp
  /** The file and the setting that allow a host. */
  readonly setting: (host: string) => string
}

/** Refusals of Vite 8, webpack-dev-server 6, Rails 8, Django 5 and Next 16, from their sources. */
const FRAMEWORKS: readonly Framework[] = [
  {
    status: 403,
    words: /Blocked request\. This host/,
    setting: host => `server.allowedHosts: ['${host}'] in vite.config.js`
  },
  {
    status: 403,
    words: /Invalid Host header/,
    setting: host =>
      `devServer.allowedHosts: ['${host}'] in webpack.config.js, or allowedHosts of serve in angular.json`
  },
  {
    status: 403,
    words: /Blocked hosts?:/,
    setting: host => `config.hosts << '${host}' in config/environments/development.rb`
  },
  {status: 400, words: /DisallowedHost/, setting: host => `ALLOWED_HOSTS = ['${host}'] in settings.py`},
  {
    status: 403,
    words: /Unauthorized/,
    path: /^\/_next\//,
    setting: host => `allowedDevOrigins: ['${host}'] in next.config.js`
  }
]

/** The setting by which a framework accepts the host of a request that it has refused; empty for any other response. */
export function hostSetting(status: number, path: string, body: string, host: string): string {
  const found = FRAMEWORKS.find(
    each => each.status === status && each.words.test(body) && each.path?.test(path) !== false
  )
  return found?.setting(host) ?? ''
}
