import {BlockList, isIP} from 'node:net'
import {isLoopback} from '../../../model/address.ts'
import {variableOf, type Environment} from '../../../model/environment.ts'

/** Returns the host of a URL, without the brackets of an IPv6 address. */
export const hostNameOf = ({hostname}: URL): string => hostname.replace(/^\[(.*)\]$/, '$1')

/**
 * Returns the proxy for a URL as Go does (golang.org/x/net/http/httpproxy), never for the loopback; '': none. Node's own support would ignore
 * a proxy without a scheme, and subnets and subdomains in NO_PROXY.
 */
export function proxyOf(url: URL, env: Environment): string {
  const valueOf = (name: string): string => variableOf(env, name) || variableOf(env, name.toLowerCase())
  const proxy = valueOf(url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY')
  const spared = valueOf('NO_PROXY').toLowerCase().split(',')
  if (proxy === '' || isLoopback(hostNameOf(url)) || spared.some(each => isSpared(url, each.trim()))) return ''
  return proxy.includes('://') ? proxy : `http://${proxy}`
}

/** Whether an element of NO_PROXY matches the host of a URL: `*`, `10.0.0.0/8`, `a.example` with its subdomains, `.a.example` only for these, `a.example:80`. */
function isSpared(url: URL, name: string): boolean {
  const host = hostNameOf(url)
  const urlPort = url.port || (url.protocol === 'https:' ? '443' : '80')
  if (name === '*' || name === host) return true
  const [, address = '', bits] = /^(.+?)(?:\/(\d{1,3}))?$/.exec(name) ?? []
  const family = isIP(address)
  const most = family === 4 ? 32 : 128
  const size = Number(bits ?? most)
  if (family > 0 && family === isIP(host) && size <= most) {
    const [subnet, type] = [new BlockList(), family === 4 ? ('ipv4' as const) : ('ipv6' as const)]
    subnet.addSubnet(address, size, type)
    return subnet.check(host, type)
  }
  const [, domain = '', port = urlPort] = /^(?:\*(?=\.))?\[?([^[\]]+?)\]?(?::(\d+))?$/.exec(name) ?? []
  const isHost = host === domain || host.endsWith(domain.startsWith('.') ? domain : `.${domain}`)
  return isHost && domain !== '' && port === urlPort
}
