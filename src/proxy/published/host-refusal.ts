/** The response by which a framework refuses an unknown host, the paths where it does, and the setting and file that allow a host. */
type Refusal = readonly [status: number, words: RegExp, paths: RegExp, setting: (host: string) => string]

const ALL = /^/

/** Refusals of Vite 8, webpack-dev-server 6, Rails 8, Django 5 and Next 16, from their sources. */
const REFUSALS: readonly Refusal[] = [
  [403, /Blocked request\. This host/, ALL, host => `server.allowedHosts: ['${host}'] in vite.config.js`],
  [
    403,
    /Invalid Host header/,
    ALL,
    host => `devServer.allowedHosts: ['${host}'] in webpack.config.js, or allowedHosts of serve in angular.json`
  ],
  [403, /Blocked hosts?:/, ALL, host => `config.hosts << '${host}' in config/environments/development.rb`],
  [400, /DisallowedHost/, ALL, host => `ALLOWED_HOSTS = ['${host}'] in settings.py`],
  [403, /Unauthorized/, /^\/_next\//, host => `allowedDevOrigins: ['${host}'] in next.config.js`]
]

/** Returns the setting that makes a framework accept the host that it has refused; '': the response is not such a refusal. */
export function hostSetting(status: number, path: string, body: string, host: string): string {
  const found = REFUSALS.find(([of, words, paths]) => of === status && words.test(body) && paths.test(path))
  return found?.[3](host) ?? ''
}
