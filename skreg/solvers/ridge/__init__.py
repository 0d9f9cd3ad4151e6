"""Methods for a quadratic loss with a squared penalty: closed forms and iterations."""
