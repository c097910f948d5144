"""What an edit is to both kinds of service: typed events, results, and one stream of them."""
