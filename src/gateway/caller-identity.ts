/** A calling app, as access control identifies it. */
export interface CallerIdentity {
  readonly trustDomain: string
  readonly namespace: string
  readonly appId: string
}
