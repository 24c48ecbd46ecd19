import type {Agent} from 'node:http'
import type {SecureContext} from 'node:tls'
import type {Environment} from '../../../model/environment.ts'
import {proxyOf} from './proxy-of.ts'

/** Certificates and keys, PEM; '': none. */
export interface Credentials {
  /** Certificates trusted besides the public CAs. */
  readonly ca: string
  readonly cert: string
  readonly key: string
}

/** An external URL, and how it is called. */
export interface WebOptions {
  /** Scheme, host and port; the rest is ignored. */
  readonly origin: URL
  /** The callee's certificate is always verified. */
  readonly credentials: Credentials
  /** Follow redirects, ten at most, as Go's client does. */
  readonly followsRedirects: boolean
  /** Names (lower case) of headers that no other host may receive. */
  readonly secretHeaders: readonly string[]
  /** The environment in which HTTP_PROXY, HTTPS_PROXY and NO_PROXY are looked up; omitted: no proxy is used. */
  readonly env?: Environment
}

type Web = Pick<typeof import('node:https'), 'request'> & {readonly Agent: new (options: object) => Agent}

/** Returns Node's module for the scheme of a URL. */
export const webOf = ({protocol}: URL): Web =>
  protocol === 'https:' ? process.getBuiltinModule('node:https') : process.getBuiltinModule('node:http')

const contexts = new WeakMap<Credentials, SecureContext>()

/** Returns the TLS context of credentials, created once: parsing all root certificates takes tens of ms. */
export function contextOf(credentials: Credentials): SecureContext {
  const {createSecureContext, rootCertificates} = process.getBuiltinModule('node:tls')
  const {ca, cert, key} = credentials
  const context =
    contexts.get(credentials) ??
    createSecureContext({
      minVersion: 'TLSv1.2',
      ...(ca !== '' && {ca: [...rootCertificates, ca]}),
      ...(cert !== '' && {cert, key})
    })
  contexts.set(credentials, context)
  return context
}

const agents = new WeakMap<WebOptions, Map<string, Agent>>()

/** Returns the agent whose connections all requests with these options share. */
export function agentOf(url: URL, options: WebOptions): Agent {
  const key = url.protocol + proxyOf(url, options.env ?? {})
  const own = agents.get(options) ?? new Map<string, Agent>()
  agents.set(options, own)
  const agent = own.get(key) ?? newAgent(url, options, true)
  own.set(key, agent)
  return agent
}

/** Creates an agent. Throws if the URL of its proxy is not valid. */
export function newAgent(url: URL, options: WebOptions, keepAlive: boolean): Agent {
  const proxy = proxyOf(url, options.env ?? {})
  const proxyEnv = proxy === '' ? undefined : {http_proxy: proxy, https_proxy: proxy}
  return new (webOf(url).Agent)({keepAlive, proxyEnv})
}
