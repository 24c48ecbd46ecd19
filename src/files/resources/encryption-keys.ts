/** The properties of a state store by which its values are encrypted (Dapr: pkg/encryption). */
export const ENCRYPTION_KEYS = ['primaryEncryptionKey', 'secondaryEncryptionKey'] as const

/** A property of a component that holds a key. */
interface KeyProperty {
  readonly name: string
  readonly secret: object | undefined
}

/** Whether a property is an encryption key, in any capitals as in Dapr. */
export const isEncryptionKey = ({name}: {readonly name: string}): boolean =>
  ENCRYPTION_KEYS.some(each => each.toLowerCase() === name.toLowerCase())

/** Returns the mistake in a key, or an empty string. Dapr would store the values in plain text, or could not read them again. */
export function encryptionKeyFault({secret, name}: KeyProperty, secretStore: string): string {
  if (secret === undefined) return `failed to extract encryption key: secretKeyRef cannot be empty (${name})`
  if (secretStore !== '') return ''
  return `failed to extract encryption key: ${name} names a secret, but the Component has no auth.secretStore`
}
