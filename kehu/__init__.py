"""What every stage shares: where things lie (`settings`) and how errors speak (`errors`)."""
