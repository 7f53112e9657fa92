<%@ page contentType="text/html; charset=UTF-8" %>
<%
    java.util.Properties properties = new java.util.Properties();
    try (java.io.InputStream file = application.getResourceAsStream("/WEB-INF/classes/hello.properties")) {
        properties.load(file);
    }
%>
<!DOCTYPE html>
<html lang="en">
<head><title>hello</title></head>
<body><h1><%= properties.getProperty("greeting") %></h1></body>
</html>
