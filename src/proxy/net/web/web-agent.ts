import type {Agent} from 'node:http'
import type {SecureContext} from 'node:tls'
import type {Environment} from '../../../model/environment.ts'
import {proxyOf} from './proxy-of.ts'

/** Certificates and keys, PEM; '': none. */
export interface Credentials {
  /** CA certificates that are trusted besides the public ones. */
  readonly ca: string
  readonly cert: string
  readonly key: string
}

/** An external URL, and the options of calls to it. */
export interface WebOptions {
  /** Scheme, host and port. The rest of the URL is ignored. */
  readonly origin: URL
  /** Certificates and keys for TLS. The callee's certificate is always verified. */
  readonly credentials: Credentials
  /** Whether to follow redirects, ten at most, as Go's client does. */
  readonly followsRedirects: boolean
  /** Names (lower case) of headers that no other host may receive. */
  readonly secretHeaders: readonly string[]
  /** Environment with HTTP_PROXY, HTTPS_PROXY and NO_PROXY; omitted: no proxy. */
  readonly env?: Environment
}

type Web = Pick<typeof import('node:https'), 'request'> & {readonly Agent: new (options: object) => Agent}

/** Returns Node's module for the scheme of a URL. */
export const webOf = ({protocol}: URL): Web =>
  protocol === 'https:' ? process.getBuiltinModule('node:https') : process.getBuiltinModule('node:http')

const contexts = new WeakMap<Credentials, SecureContext>()

/** Returns the TLS context of credentials. Creates it once, since parsing all root certificates takes tens of ms. */
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

/** Returns the agent for a URL, whose connections all requests with these options share. */
export function agentOf(url: URL, options: WebOptions): Agent {
  const key = url.protocol + proxyOf(url, options.env ?? {})
  const own = agents.get(options) ?? new Map<string, Agent>()
  agents.set(options, own)
  const agent = own.get(key) ?? newAgent(url, options, true)
  own.set(key, agent)
  return agent
}

/** Creates an agent. Throws if the URL of its proxy is invalid. */
export function newAgent(url: URL, options: WebOptions, keepAlive: boolean): Agent {
  const proxy = proxyOf(url, options.env ?? {})
  const proxyEnv = proxy === '' ? undefined : {http_proxy: proxy, https_proxy: proxy}
  return new (webOf(url).Agent)({keepAlive, proxyEnv})
}
