/** What all components of PostgreSQL can be told (components-contrib: common/authentication/postgresql). */
export const POSTGRESQL_PROPERTIES = [
  'connectionString',
  'url',
  'host',
  'hostaddr',
  'port',
  'database',
  'user',
  'password',
  'sslRootCert',
  'connectionMaxIdleTime',
  'maxConns',
  'queryExecMode',
  'timeout',
  'timeoutInSeconds'
]
