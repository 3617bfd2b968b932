"""Where sealed inputs, sealed outputs and evidence lie until somebody fetches them."""
