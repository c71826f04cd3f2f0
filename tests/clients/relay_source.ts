// A page of a list, a fragment, a mutation and a subscription as a Relay application writes them.
import { graphql } from "relay-runtime";

export const list = graphql`
  query relaySourceListQuery($first: Int!, $after: String) {
    orders(first: $first, after: $after) @connection(key: "relaySource_orders") {
      edges { node { id ...relaySource_order } }
    }
  }
`;
export const order = graphql`
  fragment relaySource_order on Order { id number status lines { id lineNumber promise { deliveryDate { promised timezone } } } }
`;
export const again = graphql`
  query relaySourceAgainQuery($id: ID!) { node(id: $id) { ...relaySource_order @alias(as: "order") } }
`;
export const cancel = graphql`
  mutation relaySourceCancelMutation($input: OrderCancelInput!, $key: String!) {
    orderCancel(input: $input, idempotencyKey: $key) { order { ...relaySource_order } userErrors { code message path } }
  }
`;
export const watch = graphql`
  subscription relaySourceWatchSubscription($after: String) {
    orderChanged(after: $after) { cursor kind order { ...relaySource_order } }
  }
`;
