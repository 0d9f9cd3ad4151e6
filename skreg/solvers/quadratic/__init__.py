"""Methods for a quadratic loss with an L1 part or bounds."""
