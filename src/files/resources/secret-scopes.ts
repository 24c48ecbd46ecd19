import type {Field} from './field.ts'

/** Secrets of one store that the app may read (Dapr: pkg/config, SecretsScope). */
export interface SecretScope {
  readonly storeName: string
  /** Names of the allowed secrets; empty: no restriction. */
  readonly allowed: readonly string[]
  readonly denied: readonly string[]
  /** Secrets that neither list names may not be read. */
  readonly isDenying: boolean
}

/** Whether an app may read a secret. Secrets without a restriction may be read. */
export const isSecretAllowed = (scopes: readonly SecretScope[], store: string, name: string): boolean => {
  const scope = scopes.findLast(({storeName}) => storeName === store)
  if (scope === undefined) return true
  const {allowed, denied, isDenying} = scope
  return allowed.length > 0 ? allowed.includes(name) : !isDenying && !denied.includes(name)
}

/** `spec.secrets.scopes` of a Configuration. */
export const readSecretScopes = (spec: Field): readonly SecretScope[] => {
  const secrets = spec.field('secrets')
  secrets.warnUnknownKeys(['scopes'])
  return secrets.field('scopes').items().map(readScope)
}

function readScope(scope: Field): SecretScope {
  scope.warnUnknownKeys(['storeName', 'defaultAccess', 'allowedSecrets', 'deniedSecrets'])
  const access = scope.field('defaultAccess')
  const word = access.text().toLowerCase()
  if (!['', 'allow', 'deny'].includes(word))
    access.error(`"${access.text()}" is not a defaultAccess`, {expected: 'expected allow or deny'})
  return {
    storeName: scope.field('storeName').text(),
    allowed: scope.field('allowedSecrets').texts(),
    denied: scope.field('deniedSecrets').texts(),
    isDenying: word === 'deny'
  }
}
