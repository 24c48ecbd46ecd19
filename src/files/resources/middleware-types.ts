/** The types of middleware that are built in. */
export const MIDDLEWARE_TYPES = ['bearer', 'ratelimit', 'routeralias', 'routerchecker', 'uppercase'] as const

const PREFIX = 'middleware.http.'

export type MiddlewareType = (typeof MIDDLEWARE_TYPES)[number]

export const middlewareType = (type: string): MiddlewareType | undefined =>
  MIDDLEWARE_TYPES.find(each => `${PREFIX}${each}` === type)
