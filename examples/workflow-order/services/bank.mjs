import {serve} from './serve.mjs'

const accounts = new Map([['Ada', 100], ['Grace', 5]])

serve({
  charge({customer, price}) {
    const left = (accounts.get(customer) ?? 0) - price
    if (left < 0) throw new Error(`${customer} cannot pay ${price}`)
    accounts.set(customer, left)
    console.log(`${customer} pays ${price}`)
    return {left}
  },
  refund({customer, price}) {
    accounts.set(customer, accounts.get(customer) + price)
    console.log(`${customer} gets ${price} back`)
    return {left: accounts.get(customer)}
  }
})
