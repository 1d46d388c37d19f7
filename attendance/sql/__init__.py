"""What every database of ours stands on: connections and transactions on two dialects, schema steps, copies. No table."""
