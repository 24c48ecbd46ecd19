import type * as Api from '../../src/model/api.generated.ts'
import {at} from './made-up-workflows.ts'

/** A job that comes every day. */
export const job = (name: string, more: Partial<Api.Job> = {}): Api.Job => ({
  number: 1,
  app: 'checkout',
  name,
  schedule: '@daily',
  dueTime: null,
  ttl: null,
  repeats: null,
  begin: at(0),
  expires: null,
  next: at(60),
  count: 3,
  last: at(10),
  attempts: 0,
  state: 'waits',
  answer: '200',
  ...more
})

/** Of the actor Cart/17, every hour. */
export const REMINDER: Api.Reminder = {
  app: 'carts',
  type: 'Cart',
  id: '17',
  name: 'expire',
  due: at(60),
  period: 'PT1H',
  left: null,
  expires: null
}
