/** The properties that all components of PostgreSQL have (components-contrib: common/authentication/postgresql). */
export const POSTGRESQL_PROPERTIES =
  `connectionString url host hostaddr port database user password sslRootCert connectionMaxIdleTime connMaxIdleTime
  maxConns queryExecMode timeout timeoutInSeconds useAWSIAM useAzureAD`.split(/\s+/)
