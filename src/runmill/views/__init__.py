"""HTTP and screens over a store, read only through its protocol: `runmill.views.app.create_app`."""
